export {
  createMilvusFront,
  type MilvusFront,
  type MilvusFrontDependencies,
  type MilvusFrontOptions,
} from './milvus-front.ts';
