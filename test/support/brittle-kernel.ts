import type { GrowingBlock, VectorShape } from '../../src/kernel/kernel.ts';
import { MemoryKernel } from '../../src/kernel/memory/memory-kernel.ts';

/** A kernel that takes no more rows while a test says so, as one that has no memory. */
export class BrittleKernel extends MemoryKernel {
  isFull = false;
  refusedCount = 0;

  override createBlock(options: VectorShape & { readonly capacity: number }): GrowingBlock {
    this.#check();
    const block = super.createBlock(options);
    const append = block.append.bind(block);
    block.append = (vectors) => {
      this.#check();
      append(vectors);
    };
    return block;
  }

  #check(): void {
    if (!this.isFull) return;
    this.refusedCount++;
    throw new RangeError('no memory for vectors');
  }
}
