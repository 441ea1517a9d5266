import { MemoryKernel } from './memory-kernel.ts';
import { NodeFileSystem } from '../../host/node/index.ts';
import { testKernel } from '../../../test/conformance/kernel.ts';
import { testKernelFormats } from '../../../test/conformance/kernel-formats.ts';

testKernel('memory', () => new MemoryKernel({ files: new NodeFileSystem() }));
testKernelFormats('memory', () => new MemoryKernel({ files: new NodeFileSystem() }));
