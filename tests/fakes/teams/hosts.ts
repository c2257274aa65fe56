export { agents, lenientAgents } from './agents.ts'
export { botbuilder } from './botbuilder.ts'
export type { Host, OpenHost } from './host.ts'
