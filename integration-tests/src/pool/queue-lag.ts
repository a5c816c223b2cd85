/** How much work a queue holds, read as KEDA's trigger `nats-jetstream` reads it: off the broker's own page of numbers. */

/** What `/jsz` says, as far as it is read. */
interface JetStreamPage {
  readonly account_details?: readonly {
    readonly name: string;
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly consumer_detail?: readonly {
        readonly name: string;
        readonly num_pending: number;
        readonly num_ack_pending: number;
      }[];
    }[];
  }[];
}

const answerMs = 5_000;

/** Messages of the queue that wait or are in a worker's hands. @throws Error when the page does not tell of the queue */
export async function queueLag(monitoringUrl: string, queue: string): Promise<number> {
  const answer = await fetch(`${monitoringUrl}/jsz?acc=$G&consumers=true&config=true`, {
    signal: AbortSignal.timeout(answerMs),
  });
  const page = (await answer.json()) as JetStreamPage;
  const account = page.account_details?.find(({ name }) => name === "$G");
  const stream = account?.stream_detail?.find(({ name }) => name === "PRETRAIN_WORK");
  const consumer = stream?.consumer_detail?.find(({ name }) => name === queue);
  if (consumer === undefined) throw new Error(`${monitoringUrl}/jsz tells of no queue ${queue}`);
  return consumer.num_pending + consumer.num_ack_pending;
}
