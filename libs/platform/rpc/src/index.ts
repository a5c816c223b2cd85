/** gRPC: one way to serve it, with all that every service needs, and one way to call it. */
export { callerOf } from "./call-record.ts";
export { type ClientOptions, type ClientTls, connectClient, type PretrainClient } from "./connect-client.ts";
export { type GrpcOptions, type GrpcServer, serveGrpc, unaryPatienceMs } from "./serve-grpc.ts";
export { type ServedService, service } from "./served-service.ts";
