export { NodeFileSystem } from './node-file-system.ts';
export { createNodeHost, nodeClock, nodeTimers } from './node-host.ts';
