export {
  INDEX_TYPES,
  type BuildIndexOptions,
  type BuildReport,
  type FileReport,
  type GrowingBlock,
  type IndexType,
  type Kernel,
  type KernelHits,
  type KernelInfo,
  type KernelOptions,
  type KernelSearch,
  type SearchSource,
  type VectorFile,
  type VectorIndex,
  type WriteVectorsOptions,
} from './kernel.ts';
export { createKernel } from './native-kernel.ts';
export { readHnswParams } from './index-params.ts';
