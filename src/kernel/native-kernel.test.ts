import { createKernel } from './native-kernel.ts';
import { nativeBinding } from './native-binding.ts';
import { testKernel } from '../../test/conformance/kernel.ts';
import { testKernelFormats } from '../../test/conformance/kernel-formats.ts';

testKernel('native', () => createKernel({ threads: 2, queueMax: 16 }));

for (const instructionSet of nativeBinding().instructionSets()) {
  testKernelFormats(`native ${instructionSet}`, () =>
    createKernel({ threads: 2, queueMax: 16, instructionSet }),
  );
}
