export { canonicalJson, sha256 } from './hash.ts'
export { lockDataDir } from './lock.ts'
export { postgres } from './postgres.ts'
export { sqlite } from './sqlite.ts'
