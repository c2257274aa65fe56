import type { ChatMessage } from '../../src/ports/engine.ts'
import type { ProfileMade } from '../../src/ports/profiles.ts'
import type { PromptTexts } from '../../src/ports/tune.ts'

/** A profile as far as it is tuned. */
export interface PromptProfile extends PromptTexts {
  readonly name: string
  readonly version: string
  readonly persona: string
  /** Names that may stand in its texts as `{{name}}`. */
  readonly variables: readonly string[]
}

/** What only the composition knows of the bot whose prompt is tuned. */
export interface PromptFacts {
  /** A version of the profile; the one that serves without. @throws HoneError NOT_FOUND */
  read(version?: string): Promise<PromptProfile>
  /** The messages that a prompt begins with when these texts stand in the profile; `values` as a turn was told them. */
  opening(
    profile: PromptProfile,
    texts: PromptTexts,
    values: Readonly<Record<string, string>>,
  ): Promise<readonly ChatMessage[]>
  /** Messages that the examples of this version of a profile take at the start of a prompt. */
  exampleMessages(version: string): Promise<number>
  /** The lines that differ between what serves and the profile with these texts. */
  lines(profile: PromptProfile, texts: PromptTexts): Promise<readonly string[]>
  /** Keeps the profile with these texts as a version, and answers which. */
  keep(profile: PromptProfile, texts: PromptTexts, made: ProfileMade): Promise<string>
  promote(version: string, by: string): Promise<void>
}
