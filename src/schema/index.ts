export * from './collection-schema.ts';
export * from './data-type.ts';
export * from './ids.ts';
