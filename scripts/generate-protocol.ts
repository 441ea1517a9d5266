// Generates the code for Milvus's messages from the descriptors that the official client package publishes. Runs after
// `npm install`; does nothing when its output is newer than what it is made from.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { INamespace } from 'protobufjs';

const SERVICE = 'milvus.proto.milvus.MilvusService';
const DESCRIPTORS = '@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js';
const OUTPUT = join(import.meta.dirname, '..', 'src', 'proxy', 'translate', 'generated');
const STAMP = join(OUTPUT, 'stamp');

const require = createRequire(import.meta.url);
const descriptorFile = require.resolve(DESCRIPTORS);
const stamp = fingerprint([
  descriptorFile,
  import.meta.filename,
  ...readdirSync(join(import.meta.dirname, 'protocol')).map((name) =>
    join(import.meta.dirname, 'protocol', name),
  ),
]);
if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== stamp) await generate();

async function generate(): Promise<void> {
  const { protocolModel } = await import('./protocol/protocol-model.ts');
  const { emitModule } = await import('./protocol/emit-module.ts');
  const { emitTypes } = await import('./protocol/emit-types.ts');
  const descriptors = (require(descriptorFile) as { readonly default: INamespace }).default;
  const model = protocolModel(descriptors, SERVICE);
  mkdirSync(OUTPUT, { recursive: true });
  writeFileSync(join(OUTPUT, 'milvus.js'), emitModule(model));
  writeFileSync(join(OUTPUT, 'milvus.d.ts'), emitTypes(model));
  writeFileSync(STAMP, stamp);
  console.log(`generated ${model.messages.length} messages and ${model.methods.length} calls of ${SERVICE}`);
}

function fingerprint(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files.toSorted()) hash.update(readFileSync(file));
  return hash.digest('hex');
}
