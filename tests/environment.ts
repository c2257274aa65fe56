import type { RootHookObject } from 'mocha'

const atStart = { ...process.env }

/**
 * Gives every test the environment that the run began with. discord.js's ShardingManager, for one, writes itself into that of
 * its process, and every Client made after it waits for a shard that never comes.
 */
export const mochaHooks: RootHookObject = {
  afterEach() {
    for (const name of Object.keys(process.env)) if (!Object.hasOwn(atStart, name)) delete process.env[name]
    Object.assign(process.env, atStart)
  },
}
