import { type APIApplicationCommand, type REST, type RESTPostAPIApplicationCommandsJSONBody, Routes } from 'discord.js'

/**
 * Registers our commands by overwriting the whole list, but only when ours differ: Discord allows 200 new ones a day.
 * A host's own commands stay as they are.
 *
 * @returns true when something had changed.
 */
export async function registerCommands(
  rest: REST,
  application: string,
  ours: readonly RESTPostAPIApplicationCommandsJSONBody[],
): Promise<boolean> {
  const route = Routes.applicationCommands(application)
  const query = new URLSearchParams({ with_localizations: 'true' })
  const there = (await rest.get(route, { query })) as readonly APIApplicationCommand[]
  const twin = (command: RESTPostAPIApplicationCommandsJSONBody) =>
    there.find(({ name, type }) => name === command.name && type === command.type)
  if (ours.every((command) => covers(twin(command), command))) return false
  const others = there.filter(
    ({ name, type }) => !ours.some((command) => command.name === name && command.type === type),
  )
  await rest.put(route, { body: [...others.map(asSent), ...ours] })
  return true
}

/** A command as it is sent: without what only Discord gives out. */
function asSent({ id: _, application_id: __, version: ___, guild_id: ____, ...command }: APIApplicationCommand) {
  return command
}

/** True when everything that is wanted is there; Discord adds fields and defaults of its own. */
function covers(there: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    const list = Array.isArray(there) ? there : []
    return list.length === wanted.length && wanted.every((one, index) => covers(list[index], one))
  }
  if (typeof wanted === 'object' && wanted !== null) {
    const found = (there ?? {}) as Record<string, unknown>
    return there !== undefined && Object.entries(wanted).every(([key, value]) => covers(found[key], value))
  }
  // Left out is the same as the default.
  return there === wanted || (there === undefined && wanted === false)
}
