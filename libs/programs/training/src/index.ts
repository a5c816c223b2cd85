/** Training as traced functions over variables on the device. */
export type { Rows } from "./row-groups.ts";
export {
  type ClippedGradient,
  type MicroStepLoss,
  type StoredState,
  TrainingProgram,
  type TrainingProgramOptions,
} from "./training-program.ts";
