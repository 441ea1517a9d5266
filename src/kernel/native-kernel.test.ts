import { createKernel } from './native-kernel.ts';
import { testKernel } from '../../test/conformance/kernel.ts';
import { testKernelFormats } from '../../test/conformance/kernel-formats.ts';

testKernel('native', () => createKernel({ threads: 2, queueMax: 16 }));
testKernelFormats('native', () => createKernel({ threads: 2, queueMax: 16 }), ['float32']);
