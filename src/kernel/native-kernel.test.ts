import { createKernel } from './native-kernel.ts';
import { testKernel } from '../../test/conformance/kernel.ts';

testKernel('native', () => createKernel({ threads: 2, queueMax: 16 }));
