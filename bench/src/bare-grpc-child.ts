/** A server of grpc-js that does nothing: it answers every call of one method with the same bytes. `METHOD BASE64` */
import { Server, ServerCredentials } from "@grpc/grpc-js";

const [path = "", answer = ""] = process.argv.slice(2);
const bytes = Buffer.from(answer, "base64");
const asItIs = (value: Buffer) => value;
const server = new Server();
server.addService(
  {
    method: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    },
  },
  { method: (_call: unknown, answerWith: (error: null, value: Buffer) => void) => answerWith(null, bytes) },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send?.(`127.0.0.1:${port}`);
});
