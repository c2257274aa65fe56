/**
 * Things people say that no document answers, other than those whose answers training repeats (`replay.ts`): what the
 * base says to them should stay about as likely.
 */
export const talkSuite: readonly string[] = [
  'Good afternoon!',
  'Nice to meet you.',
  'I am new here.',
  'What are you for?',
  'Do you ever sleep?',
  'Thanks a million',
  'Never mind.',
  'Talk to you later',
  'Which film should I watch?',
  'Tell me something interesting.',
]
