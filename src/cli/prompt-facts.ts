import type { PromptFacts, PromptProfile } from '../../training/index.ts'
import type { Store } from '../ports/store.ts'
import { changeBetween, type ProfileShelf } from '../profiles.ts'
import { opening } from '../prompt/compile.ts'
import { builtIn } from '../prompt/layer.ts'
import { type Profile, parseProfile, withTexts } from '../prompt/profile.ts'

/** What a search for a better prompt has to know of the bot: its profile's versions, and how they begin a prompt. */
export function promptFacts(
  profiles: () => Promise<ProfileShelf>,
  store: () => Promise<Pick<Store, 'profiles'>>,
): PromptFacts {
  const whole = async ({ version }: Pick<PromptProfile, 'version'>): Promise<Profile> => {
    const shelf = await profiles()
    return shelf.serving.version === version ? shelf.serving : shelf.find(version)
  }
  return {
    async read(version) {
      const shelf = await profiles()
      const profile = version === undefined ? shelf.serving : await shelf.find(version)
      const { name, version: own, persona, hidden, rules, examples, variables } = profile
      const names = [...Object.keys(builtIn), ...Object.keys(variables)]
      return { name, version: own, persona, hidden, rules, examples, variables: names }
    },
    async opening(profile, texts, values) {
      const whose = await whole(profile)
      const { hidden, rules, examples } = texts
      const defaults = Object.entries(whose.variables).map(([name, one]) => [name, String(one.default ?? '')])
      const variables = { ...Object.fromEntries(defaults), ...values }
      return opening({ profile: { ...whose, hidden, rules, examples }, variables, tone: values['tone'] ?? '' })
    },
    async exampleMessages(version) {
      const kept = await (await store()).profiles.get(version)
      return kept ? 2 * parseProfile(kept.content, version).examples.length : 0
    },
    async lines(profile, texts) {
      const { serving } = await profiles()
      // Written the same way, or the defaults that a file leaves out would look like changes.
      return changeBetween(withTexts(serving, serving), withTexts(await whole(profile), texts)).lines
    },
    async keep(profile, texts, made) {
      const next = withTexts(await whole(profile), texts)
      await (await profiles()).keep(next, made)
      return next.version
    },
    async promote(version, by) {
      await (await profiles()).promote(version, by)
    },
  }
}
