/** The Llama model once more, in plain numbers: what an exported file is held against. Shares nothing with the model that trains. */
export { type PlainLayer, type PlainLlama, plainLogits, type RotaryPairs } from "./plain-llama.ts";
