import { MemoryKernel } from './memory-kernel.ts';
import { NodeFileSystem } from '../../host/node/index.ts';
import { testKernel } from '../../../test/conformance/kernel.ts';

testKernel('memory', () => new MemoryKernel({ files: new NodeFileSystem() }));
