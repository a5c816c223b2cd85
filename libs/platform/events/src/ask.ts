/** Questions and answers over the broker: nothing is stored, and a question that nobody answers is asked again by who has it. */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { messageOf, Unavailable } from "@pretrain/errors";
import { MissingEventsRequestSchema, MissingEventsResponseSchema } from "@pretrain/proto";
import type { Connection } from "./connection.ts";
import { decoded, encoded } from "./payload.ts";
import { refusalOf } from "./refusal.ts";

export interface Question<Asked extends DescMessage, Answer extends DescMessage> {
  readonly subject: string;
  readonly asked: Asked;
  readonly answer: Answer;
}

export const questions = {
  /** To the ledger: which of these events does it not have? */
  missingEvents: {
    subject: "pretrain.ledger.missing",
    asked: MissingEventsRequestSchema,
    answer: MissingEventsResponseSchema,
  },
} as const satisfies Record<string, Question<DescMessage, DescMessage>>;

const answerWithinMs = 5_000;

/** @throws Unavailable when nobody answers in time, or what comes is no answer; PermissionDenied when this process may not ask */
export async function ask<Asked extends DescMessage, Answer extends DescMessage>(
  { nats }: Connection,
  { subject, asked, answer }: Question<Asked, Answer>,
  message: MessageShape<Asked>,
): Promise<MessageShape<Answer>> {
  try {
    const reply = await nats.request(subject, encoded(asked, message), { timeout: answerWithinMs });
    return decoded(answer, reply.data);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined) throw refusal;
    const text = `${subject}: nobody answers (${messageOf(error)}); ask again`;
    throw new Unavailable("NO_ANSWER", text, { subject }, { cause: error });
  }
}

/** Answers until disposed. A question that cannot be read or answered is left without an answer, and logged. */
export function answer<Asked extends DescMessage, Answer extends DescMessage>(
  { nats, log }: Connection,
  { subject, asked, answer: schema }: Question<Asked, Answer>,
  reply: (message: MessageShape<Asked>) => MessageShape<Answer>,
): Disposable {
  const subscription = nats.subscribe(subject, {
    callback: (error, message) => {
      try {
        if (error) throw error;
        message.respond(encoded(schema, reply(decoded(asked, message.data))));
      } catch (fault) {
        log.warn({ subject, reason: messageOf(fault) }, "a question is left without an answer");
      }
    },
  });
  return { [Symbol.dispose]: () => subscription.unsubscribe() };
}
