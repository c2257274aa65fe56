import type { CompiledQuery, DatabaseConnection, Driver } from 'kysely'
import { HoneError } from '../errors.ts'

/** Where a vendor's error becomes a `HoneError`. */
export type Convert = (error: unknown) => HoneError

/**
 * Guards a Kysely driver: every error that leaves it is a `HoneError`, and text that only one of the databases
 * can hold (a NUL, half a surrogate pair) becomes the replacement character before either sees it.
 */
export function guard(driver: Driver, convert: Convert): Driver {
  const guarded = new WeakSet<DatabaseConnection>()
  const acquire = driver.acquireConnection.bind(driver)
  driver.acquireConnection = async function acquireGuarded(options) {
    const connection = await acquire(options).catch((error: unknown) => {
      throw convert(error)
    })
    if (!guarded.has(connection)) guardQueries(connection, convert)
    guarded.add(connection)
    return connection
  }
  return driver
}

function guardQueries(connection: DatabaseConnection, convert: Convert): void {
  const execute = connection.executeQuery.bind(connection)
  connection.executeQuery = async function executeGuarded<R>(query: CompiledQuery) {
    try {
      return await execute<R>({ ...query, parameters: query.parameters.map(storable) })
    } catch (error) {
      throw error instanceof HoneError ? error : convert(error)
    }
  }
}

function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value
}
