/**
 * Generate over gRPC with a checkpoint whose every continuation is known: as many tokens as asked for, eos, stop texts, the length
 * limit, and characters that are spread over tokens.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { PretrainError } from "@pretrain/errors";
import { goldenSets } from "@pretrain/golden";
import type { GenerateRequestSchema, GenerateResponse } from "@pretrain/proto";
import { oracleExperiment, promptBefore, writeOracleCheckpoint } from "./test-support/oracle-experiment.ts";
import { startSystem } from "./test-support/running-system.ts";

interface StreamCase {
  readonly start: number;
  readonly max_new_tokens: number;
  readonly eos_as_new_token_number?: number | null;
  readonly new_tokens: number;
  readonly stop_reason: "max_new_tokens" | "eos" | "max_seq_len";
}

interface Stream {
  readonly cases: StreamCase[];
  readonly with_length_limit: (StreamCase & { readonly max_seq_len: number })[];
}

test("Generate over a checkpoint that knows what comes next", async (t) => {
  const { experiment, evaluator } = await startSystem(t, oracleExperiment);
  await writeOracleCheckpoint(experiment);
  const { tokenizer } = experiment;
  const checkpoint = "experiments/tiny/checkpoints/8";
  const generate = async (fields: MessageInitShape<typeof GenerateRequestSchema>) => {
    const messages = await Array.fromAsync<GenerateResponse>(evaluator.client.generate({ checkpoint, ...fields }));
    const end = messages.pop() ?? assert.fail("a stream without an end");
    assert.ok(messages.every(({ stopReason }) => stopReason === "") && end.token === 0);
    return {
      tokens: messages.map(({ token }) => token),
      texts: messages.map(({ text }) => text),
      text: [...messages, end].map(({ text }) => text).join(""),
      stopReason: end.stopReason,
    };
  };
  const { eos } = tokenizer.specialTokens;

  for (const set of goldenSets("golden-eval")) {
    await t.test(`as many tokens as stream.json says, and why no more came (${set.title})`, async () => {
      const { cases, with_length_limit: limited } = set.json<Stream>("stream.json");
      const reasons = { max_new_tokens: "max_new_tokens", eos: "eos", max_seq_len: "max_sequence_length" } as const;
      assert.ok(
        limited.every(({ max_seq_len: length }) => length === 512),
        "the checkpoint has 512 positions",
      );
      for (const golden of [...cases, ...limited]) {
        const { start, max_new_tokens: maxNewTokens, eos_as_new_token_number: eosAt } = golden;
        const prompt = promptBefore(tokenizer, start, eosAt ?? 104);
        const { tokens, stopReason } = await generate({ prompt, maxNewTokens });
        const expected = [golden.new_tokens, reasons[golden.stop_reason]];
        assert.deepEqual([tokens.length, stopReason], expected, JSON.stringify(golden));
        assert.deepEqual(
          tokens.flatMap((token, index) => (token === eos ? [index + 1] : [])),
          stopReason === "eos" ? [eosAt] : [],
        );
      }
    });
  }

  await t.test(
    "only what is new is given: the prompt is not repeated, and with no new token there is no text",
    async () => {
      assert.equal((await generate({ prompt: "abc", maxNewTokens: 3 })).text, "def");
      assert.deepEqual(await generate({ prompt: "abc", maxNewTokens: 0 }), {
        tokens: [],
        texts: [],
        text: "",
        stopReason: "max_new_tokens",
      });
    },
  );

  await t.test("ignore_eos goes on behind eos, whose name is no text", async () => {
    const ended = await generate({ prompt: "|", maxNewTokens: 8 });
    assert.deepEqual([ended.text, ended.stopReason], ["}~", "eos"]);
    const ignored = await generate({ prompt: "|", maxNewTokens: 8, ignoreEos: true });
    assert.deepEqual([ignored.text, ignored.tokens[2], ignored.stopReason], ['}~ !"#', eos, "max_new_tokens"]);
  });

  await t.test(
    "a character of several tokens comes with its last one; one that is cut off at the end is left out",
    async () => {
      const { texts } = await generate({ prompt: "N", maxNewTokens: 11 });
      assert.deepEqual(texts, ["O", "", "", "你", "", "é", "", "", "", "🐋", "P"]);
      const cut = await generate({ prompt: "N", maxNewTokens: 9 });
      assert.deepEqual([cut.text, cut.tokens.length], ["O你é", 9]);
    },
  );

  await t.test("a stop text ends it with the token that completes it, and nothing of it is given out", async () => {
    const stopped = await generate({ prompt: "a", maxNewTokens: 50, stop: ["fgh"] });
    assert.deepEqual([stopped.text, stopped.stopReason], ["bcde", "stop"]);
    assert.equal(tokenizer.decode(stopped.tokens), "bcdefgh");
    assert.deepEqual(stopped.texts, ["b", "c", "d", "e", "", "", ""]);
  });

  await t.test("what may become a stop text is held back, and given when it does not", async () => {
    const gone = await generate({ prompt: "a", maxNewTokens: 6, stop: ["cdX", "fgh"] });
    assert.deepEqual(gone.texts, ["b", "", "", "cde", "", ""]);
    assert.deepEqual([gone.text, gone.stopReason], ["bcdefg", "max_new_tokens"]);
  });

  await t.test(
    "a stop text of characters whose bytes are tokens, also where it begins behind such a character",
    async () => {
      const stopped = await generate({ prompt: "M", maxNewTokens: 50, stop: ["é🐋P"] });
      assert.deepEqual([stopped.text, stopped.stopReason], ["NO你", "stop"]);
      assert.equal((await generate({ prompt: "M", maxNewTokens: 50, stop: ["你é"] })).text, "NO");
    },
  );

  await t.test("of several stop texts the one that is complete first ends it", async () => {
    assert.equal((await generate({ prompt: "a", maxNewTokens: 50, stop: ["defg", "e"] })).text, "bcd");
  });

  await t.test("a stop text that is empty or too long is refused by its place", async () => {
    for (const stop of ["", "x".repeat(257)]) {
      await assert.rejects(generate({ prompt: "a", maxNewTokens: 1, stop: ["ok", stop] }), (error) => {
        assert.ok(error instanceof PretrainError && error.status === "INVALID_ARGUMENT", String(error));
        return error.violations[0]?.field === "stop[1]";
      });
    }
  });

  await t.test("the same seed draws the same text, another one another", async () => {
    const drawn = async (seed: number) =>
      (await generate({ prompt: "a", maxNewTokens: 20, temperature: 40, seed })).text;
    assert.equal(await drawn(5), await drawn(5));
    assert.notEqual(await drawn(5), await drawn(6));
  });

  await t.test("a prompt that begins with the name of bos is given no second one", async () => {
    const fits = `<|im_start|>${"x".repeat(511)}`;
    assert.equal((await generate({ prompt: fits, maxNewTokens: 1 })).stopReason, "max_sequence_length");
    await assert.rejects(generate({ prompt: `${fits}x`, maxNewTokens: 1 }), /has 513 tokens, bos included/);
  });
});
