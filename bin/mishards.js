#!/usr/bin/env node
// Plain JavaScript that any Node can parse, so that an old one gets a clear message.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `mishards needs Node 24 or newer, this is ${process.version}; run it as "npx mishards", which uses the Node that npm installed with it`,
  );
  process.exitCode = 1;
} else {
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv);
}
