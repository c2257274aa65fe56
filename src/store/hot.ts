import type { Compilable, CompiledQuery } from 'kysely'
import type { Db } from './schema.ts'

/** Stands for a value while a query is compiled. */
class Hole {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/**
 * A query that is compiled once instead of at every message: its text is the same each time, only values differ.
 * `build` must put the given values into the query as they are, and not look at them.
 *
 * @example
 * const byId = hot((on, given: { id: string }) => on.selectFrom('turn').selectAll().where('id', '=', given.id))
 * const [row] = await byId(db, { id: 't_1' })
 */
export function hot<P extends object, R>(
  build: (on: Db, given: P) => Compilable<R>,
): (on: Db, given: P) => Promise<readonly R[]> {
  // One for each database, and for each set of columns.
  const known = new WeakMap<object, Map<string, CompiledQuery<R>>>()

  function compiled(on: Db, given: P): CompiledQuery<R> {
    const { adapter } = on.getExecutor()
    const ofDatabase = known.get(adapter) ?? new Map<string, CompiledQuery<R>>()
    known.set(adapter, ofDatabase)
    const names = Object.keys(given)
    const key = names.join()
    const found = ofDatabase.get(key)
    if (found) return found
    const holes = Object.fromEntries(names.map((name) => [name, new Hole(name)])) as P
    const made = build(on, holes).compile()
    ofDatabase.set(key, made)
    return made
  }

  return async function run(on, given) {
    const query = compiled(on, given)
    const value = (parameter: unknown) => (parameter instanceof Hole ? given[parameter.name as keyof P] : parameter)
    const { rows } = await on.executeQuery<R>({ ...query, parameters: query.parameters.map(value) })
    return rows
  }
}
