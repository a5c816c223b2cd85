/**
 * Mistakes as they have been made, here and elsewhere, each as a change of one place of the real source. The first two pairs are the
 * ones that cost an experiment's authors the trust in their own numbers.
 */

export interface Mutant {
  /** The mistake, in words. */
  readonly mistake: string;
  /** From the root of the checkout. */
  readonly file: string;
  /** Stands once in the file. */
  readonly text: string;
  readonly instead: string;
  /** The canary that is there to catch it; others may as well. */
  readonly caughtBy: string;
  /** `plain`: the mistake is in the plain graph, which the kernels in C++ would stand in for. */
  readonly kernels?: "plain";
}

const scoring = "libs/learning/scoring/src";
const model = "libs/learning/model/src";
const program = "libs/programs/inference/src";
const evaluator = "services/evaluator/src";

export const mutants: readonly Mutant[] = [
  {
    mistake: "the record's slice: losses from the input length on",
    file: `${evaluator}/worker/score-sample.ts`,
    text: "losses.subarray(inputLength - 1, end - 1)",
    instead: "losses.subarray(inputLength, end)",
    caughtBy: "continuation_loss",
  },
  {
    mistake: "the record's slice of logits: [-predict_length:]",
    file: `${scoring}/prediction-slice.ts`,
    text: "tf.slice(logits, [inputLength - 1, 0], [predictLength, vocabulary])",
    instead: "tf.slice(logits, [positions - predictLength, 0], [predictLength, vocabulary])",
    caughtBy: "given_logits",
  },
  {
    mistake: "the same by logits_to_keep: one position late",
    file: `${scoring}/prediction-slice.ts`,
    text: "tf.slice(logits, [inputLength - 1, 0], [predictLength, vocabulary])",
    instead: "tf.slice(logits, [inputLength, 0], [predictLength, vocabulary])",
    caughtBy: "given_logits",
  },
  {
    mistake: "the loop's condition: length < max_new_tokens - 1",
    file: `${scoring}/generate.ts`,
    text: "tokens.length < start + maxNewTokens",
    instead: "tokens.length < maxNewTokens - 1",
    caughtBy: "generation_length",
  },
  {
    mistake: "the loop's condition: length < max_new_tokens",
    file: `${scoring}/generate.ts`,
    text: "tokens.length < start + maxNewTokens",
    instead: "tokens.length < maxNewTokens",
    caughtBy: "generation_length",
  },
  {
    mistake: "one token too few is generated",
    file: `${scoring}/generate.ts`,
    text: "tokens.length < start + maxNewTokens",
    instead: "tokens.length < start + maxNewTokens - 1",
    caughtBy: "generation_length",
  },
  {
    mistake: "the prompt is given out again",
    file: `${scoring}/generate.ts`,
    text: "  const start = prompt.length;\n",
    instead: "  const start = prompt.length;\n  yield* prompt;\n",
    caughtBy: "generation_length",
  },
  {
    mistake: "eos is given out twice",
    file: `${scoring}/generate.ts`,
    text: '    if (token === eosToken) return "eos";',
    instead: '    if (token === eosToken) yield token;\n    if (token === eosToken) return "eos";',
    caughtBy: "generation_length",
  },
  {
    mistake: "eos does not end a text",
    file: `${scoring}/generate.ts`,
    text: "if (token === eosToken)",
    instead: "if (token === -1)",
    caughtBy: "generation_length",
  },
  {
    mistake: "the longest sequence does not end a text",
    file: `${scoring}/generate.ts`,
    text: "if (tokens.length >= maxSequenceLength)",
    instead: "if (tokens.length >= 2 * maxSequenceLength)",
    caughtBy: "generation_length",
  },
  {
    mistake: "labels are not shifted",
    file: `${scoring}/next-token-loss.ts`,
    text: "targets: movedLeft(tokens)",
    instead: "targets: tf.reshape(tokens, [-1])",
    caughtBy: "next_token_oracle",
  },
  {
    mistake: "labels are shifted twice",
    file: `${scoring}/next-token-loss.ts`,
    text: "targets: movedLeft(tokens)",
    instead: "targets: movedLeft(tf.reshape(movedLeft(tokens), [batch, sequence]))",
    caughtBy: "next_token_oracle",
  },
  {
    mistake: "padding counts in training",
    file: `${scoring}/next-token-loss.ts`,
    text: "tf.less(positions, tf.expandDims(lengths, 1))",
    instead: "tf.less(positions, tf.add(tf.expandDims(lengths, 1), sequence))",
    caughtBy: "training_loss",
  },
  {
    mistake: "padding counts in an evaluation",
    file: `${program}/row-scores.ts`,
    text: "  return Math.max(0, length - 1);",
    instead: "  return length;",
    caughtBy: "next_token_oracle",
  },
  {
    mistake: "eos is counted twice",
    file: `${evaluator}/worker/score-rows.ts`,
    text: "losses.reduce((sum, loss) => sum + loss, 0)",
    instead: "losses.reduce((sum, loss) => sum + loss, losses.at(-1) ?? 0)",
    caughtBy: "next_token_oracle",
  },
  {
    mistake: "a marker counts the bytes of its name",
    file: `${evaluator}/worker/score-rows.ts`,
    text: "[marker, { bytes: 0, characters: 0 }]",
    instead: "[marker, { bytes: tokenizer.tokenBytes(marker).length, characters: 0 }]",
    caughtBy: "measured_numbers",
  },
  {
    mistake: "a mean of the rows' means",
    file: `${evaluator}/evaluation/measurement.ts`,
    text: "const loss = totalLoss(rows);",
    instead: "const loss = { nats: rows.reduce((sum, row) => sum + row.nats / row.tokens, 0), tokens: rows.length };",
    caughtBy: "measured_numbers",
  },
  {
    mistake: "a mean of the rows' perplexities",
    file: `${evaluator}/evaluation/measurement.ts`,
    text: "const shown = perplexity(loss);",
    instead: "const shown = rows.reduce((sum, row) => sum + (perplexity(row) ?? 0), 0) / rows.length;",
    caughtBy: "measured_numbers",
  },
  {
    mistake: "accuracy looks one prediction ahead",
    file: `${evaluator}/worker/score-rows.ts`,
    text: "Number(likeliest[target] === id)",
    instead: "Number(likeliest[target + 1] === id)",
    caughtBy: "measured_shares",
  },
  {
    mistake: "characters are counted as bytes",
    file: `${evaluator}/worker/score-rows.ts`,
    text: "characters: charactersBegun(bytes)",
    instead: "characters: bytes.length",
    caughtBy: "measured_numbers",
  },
  {
    mistake: "the last row of a batch is lost",
    file: `${program}/inference-program.ts`,
    text: "const [place, index] of indices.entries()",
    instead: "const [place, index] of indices.slice(0, Math.max(1, indices.length - 1)).entries()",
    caughtBy: "next_token_oracle",
  },
  {
    mistake: "rows get the losses of others: those that stand at their place once they are sorted",
    file: `${program}/inference-program.ts`,
    text: "const piece = pieces[index];",
    instead: "const piece = pieces[indices.length - 1 - place];",
    caughtBy: "next_token_oracle",
  },
  {
    mistake: "windows keep their first predictions, where tokens were scored before",
    file: `${program}/row-scores.ts`,
    text: "found.losses.subarray(end - kept, end)",
    instead: "found.losses.subarray(start, start + kept)",
    caughtBy: "rolling_windows",
  },
  {
    mistake: "attention sees one token of the future",
    file: `${model}/attention.ts`,
    text: "tf.greater(keyPositions, queryPositions)",
    instead: "tf.greater(keyPositions, tf.add(queryPositions, 1))",
    caughtBy: "causality",
    kernels: "plain",
  },
  {
    mistake: "attention has no causal mask",
    file: `${model}/attention.ts`,
    text: '"float32"), -1e30)',
    instead: '"float32"), 0)',
    caughtBy: "causality",
    kernels: "plain",
  },
  {
    mistake: "padding is attended to: rows are filled up at the left",
    file: `${program}/row-batches.ts`,
    text: "tokens.set(row, place * width);",
    instead: "tokens.set(row, place * width + (place > 0 ? width - row.length : 0));",
    caughtBy: "next_token_oracle",
  },
  {
    mistake: "decoding has no causal mask",
    file: `${model}/decode.ts`,
    text: '"float32"), -1e30)',
    instead: '"float32"), 0)',
    caughtBy: "cached_decode",
  },
  {
    mistake: "the cache is written one place early",
    file: `${program}/decoder.ts`,
    text: "position: Int32Array.of(read)",
    instead: "position: Int32Array.of(Math.max(0, read - 1))",
    caughtBy: "cached_decode",
  },
  {
    mistake: "rotations of a token read alone are those of position 0",
    file: `${model}/decode.ts`,
    text: "rotationsAt(reached, places, shape)",
    instead: 'rotationsAt(tf.range(0, sequence, 1, "int32"), places, shape)',
    caughtBy: "cached_decode",
  },
  {
    mistake: "no bos before a text that is scored",
    file: `${evaluator}/worker/score-text.ts`,
    text: "const opened = openedText(tokenizer, text);",
    instead: "const opened = [...tokenizer.encode(text)];",
    caughtBy: "markers",
  },
  {
    mistake: "no bos before a prompt",
    file: `${evaluator}/worker/generations.ts`,
    text: "const ids = openedText(tokenizer, prompt);",
    instead: "const ids = [...tokenizer.encode(prompt)];",
    caughtBy: "generation_length",
  },
  {
    mistake: "a text loses its end",
    file: `${evaluator}/worker/score-text.ts`,
    text: "const opened = openedText(tokenizer, text);",
    instead: "const opened = openedText(tokenizer, text).slice(0, -1);",
    caughtBy: "markers",
  },
];
