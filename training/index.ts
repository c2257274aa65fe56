/**
 * Feedback becomes a better version: pairs, a frozen dataset, a training run, the gate, the registry of versions.
 *
 * @module
 */

export { fileSha256 } from './base.ts'
export { type Dataset, type DatasetManifest, freeze, readDataset } from './dataset.ts'
export { type EvaluateOptions, evaluate } from './evaluate.ts'
export { exportFeedback } from './export.ts'
export { feedbackStats } from './feedback-stats.ts'
export { type ForgetOptions, type Forgotten, forgetInTraining } from './forget.ts'
export { type FeedbackRow, parseRows, type RowFormat, rowFormats, toRows } from './formats.ts'
export { type GateInput, gate, judge, minEvidence } from './gate.ts'
export { parseGolden, readGolden } from './golden.ts'
export { type Imported, importFeedback } from './import.ts'
export { createLearning, type LearningOptions } from './learning.ts'
export { type Answer, type Golden, type HeldOutPair, type Material, type Measured, measure } from './measure.ts'
export { type Pair, pairsOf, type Unpaired, unpairedOf } from './pairs.ts'
export { applyPolicy, defaultPolicy, type Policy } from './policy.ts'
export { type Hyper, hyperFor, parametersOf } from './recipes.ts'
export { openRegistry, type Published, type Registry, type RegistryOptions } from './registry.ts'
export { type Schedule, schedule } from './schedule.ts'
export { collect, minRows, type Selection, select } from './select.ts'
export { type PythonTrainerOptions, pythonTrainer } from './trainer.ts'
