/** The contracts as TypeScript: messages, schemas and services, generated from the .proto files by the set-up. */
export * from "./gen/google/rpc/error_details_pb.ts";
export * as reflectionV1 from "./gen/grpc/reflection/v1/reflection_pb.ts";
export * as reflectionV1Alpha from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";
export * as health from "./gen/health/v1/health_pb.ts";
export * from "./gen/pretrain/data/v1/data_shard_service_pb.ts";
export * from "./gen/pretrain/data/v1/dataset_pb.ts";
export * from "./gen/pretrain/data/v1/dataset_record_pb.ts";
export * from "./gen/pretrain/eval/v1/evaluation_pb.ts";
export * from "./gen/pretrain/eval/v1/evaluation_record_pb.ts";
export * from "./gen/pretrain/eval/v1/evaluator_service_pb.ts";
export * from "./gen/pretrain/events/v1/events_pb.ts";
export * from "./gen/pretrain/events/v1/metrics_pb.ts";
export * from "./gen/pretrain/report/v1/report_pb.ts";
export * from "./gen/pretrain/report/v1/report_service_pb.ts";
export * from "./gen/pretrain/train/v1/experiment_pb.ts";
export * from "./gen/pretrain/train/v1/experiment_record_pb.ts";
export * from "./gen/pretrain/train/v1/recipe_pb.ts";
export * from "./gen/pretrain/train/v1/trainer_service_pb.ts";
