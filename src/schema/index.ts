export * from './collection-schema.ts';
export * from './data-type.ts';
export * from './ids.ts';
export * from './names.ts';
export * from './validate-schema.ts';
