/** What each parameter of a recipe means, by its name in recipe.proto. A test holds the lists against the .proto. */
type Meanings = Readonly<Record<string, string>>;

export const modelMeanings: Meanings = {
  model_type: "Kind of model; model_original is the standard transformer",
  dim: "Width of the residual stream",
  n_layers: "Transformer blocks",
  n_heads: "Attention (query) heads",
  n_kv_heads: "Key and value heads",
  hidden_dim: "Width of the feed-forward layer (SwiGLU)",
  multiple_of: "What the default of hidden_dim is rounded up to",
  max_seq_len: "Longest sequence, in tokens; longer rows are cut",
  vocab_size: "Entries of the vocabulary",
  norm_eps: "Added to the mean square in RMSNorm",
  rope_theta: "Base of the rotary position embedding",
  use_moe: "Mixture of experts",
  disable_db: "Knowledge base switched off",
  knowledge_num: "Entries of the knowledge base",
  knowledge_length: "Tokens of one entry of the knowledge base",
  model_size: "What the author calls the size, in millions of parameters; 0: not said",
};

/** Of the knowledge base: recorded, without effect while it is off. */
export const knowledgeParameters: ReadonlySet<string> = new Set(["knowledge_num", "knowledge_length"]);

export const dataMeanings: Meanings = {
  path: "File with the training text, relative to a data root",
  format: "Form of the file",
  validation_path: "File with the validation text; none: rows of the training file are set aside",
  validation_every: "One row in about this many is set aside for validation",
  tokenizer_path: "Tokenizer; none: one is trained on the text",
  cut: "How long rows are cut: after_wrap loses their eos, keep_eos keeps it",
  minimum_row_characters: "Of plain text: paragraphs are joined to rows of at least this many characters",
  num_workers: "Processes that read data in the original; recorded, without effect",
  shuffle: "Order of the rows: none is the file's order, per_epoch another one in each",
};

export const trainingMeanings: Meanings = {
  epochs: "How often every row is seen",
  batch_size: "Rows of a micro-step",
  accumulation_steps: "Micro-steps of one optimizer step",
  learning_rate: "Peak learning rate",
  warmup_iters: "Optimizer steps of linear warm-up",
  schedule: "Course of the learning rate, counted in optimizer steps",
  grad_clip: "Largest global norm of the gradients",
  dtype: "Precision asked for",
  beta1: "AdamW: decay of the first moment",
  beta2: "AdamW: decay of the second moment",
  adam_eps: "AdamW: added to the root of the second moment",
  weight_decay: "AdamW: decoupled weight decay",
  decay_on: "Parameters that decay",
  loss_rule: "How the losses of an optimizer step are weighted",
  seed: "Seed of weights and order",
  save_interval: "Micro-steps between checkpoints; one more is written at the end",
  last_accumulation: "What happens to an accumulation that an epoch's end leaves incomplete",
  embedding_epoch:
    "Epochs after which the original trained embeddings alone; recorded, without effect on model_original",
  keep_last: "Last checkpoints that are kept; with keep_best and keep_every 0 too: all are",
  keep_best: "Checkpoints of the lowest validation loss that are kept",
  keep_every: "Micro-steps; the first checkpoint at or behind each multiple is kept; 0: none for that",
  early_stopping_patience: "Checkpoints in a row without a better validation loss that end the training; 0: none do",
  early_stopping_min_delta: "Nats per token by which a validation loss must be lower to be better",
};

export const hardwareMeanings: Meanings = {
  cuda_visible_devices: "Devices of the original's launcher; recorded",
  num_processes: "Training processes",
  mixed_precision: "Mixed precision, in agreement with dtype",
  device_batch_rows: "Rows that the device computes at once; 0: chosen from the memory there is",
};

export const monitoringMeanings: Meanings = {
  log_interval: "Micro-steps between metric events",
  profile: "Phase times are sampled",
  profile_interval: "Micro-steps between profile samples",
  memory_monitor_interval: "Micro-steps between memory samples",
  project: "Name of the tracking project; recorded. Tracking is local: no outside service is used",
};

export const evaluationMeanings: Meanings = {
  samples: "Prompts of the teacher-forced inference loss",
  input_length: "Tokens given of each prompt",
  predict_length: "Tokens predicted of each prompt",
  batch_rows: "Rows scored at once; changes no number",
  consistent_gap: "Largest difference of training and inference loss that is called consistent, in nats",
  context: "Tokens that a token is predicted from at most (0: as many as the model's sequences hold)",
  stride: "New tokens of each window of a row longer than the context (0: the context)",
};
