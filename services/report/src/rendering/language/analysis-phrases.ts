/** Sentences that are made of numbers: how the loss fell, how steady the run was, where memory and time went. */
import { several } from "./english-counts.ts";

export const english = {
  wholeRun: (counts: { microSteps: string; optimizerSteps: string; epochs: string }) =>
    `The run has ${several(counts.microSteps, "micro-step", "micro-steps")}, which are ${several(counts.optimizerSteps, "optimizer step", "optimizer steps")} in ${several(counts.epochs, "epoch", "epochs")}.`,
  fall: (first: string, last: string, microStep: string, share: string) =>
    `The loss went from ${first} at micro-step 1 to ${last} at micro-step ${microStep}: down by ${share} of the first value.`,
  climb: (first: string, last: string, microStep: string, share: string) =>
    `The loss went from ${first} at micro-step 1 to ${last} at micro-step ${microStep}: up by ${share} of the first value.`,
  epochEnd: (epoch: string, loss: string, fall: string) =>
    `Epoch ${epoch} ended at ${loss}, ${fall} below where it began.`,
  epochEndUp: (epoch: string, loss: string, rise: string) =>
    `Epoch ${epoch} ended at ${loss}, ${rise} above where it began.`,
  steepest: (epoch: string, fall: string, share: string) =>
    `Epoch ${epoch} was the steepest: the loss fell by ${fall}, ${share} of the whole fall.`,
  lowest: (loss: string, microStep: string, epoch: string) =>
    `The lowest loss of a micro-step was ${loss}, at micro-step ${microStep} in epoch ${epoch}.`,
  largestRise: (rise: string, microStep: string) =>
    `The largest rise from one micro-step to the next was ${rise}, at micro-step ${microStep}.`,
  noRise: "The loss never rose from one micro-step to the next.",
  noSpike: "No micro-step stands out as a spike by the rule of the warnings.",
  spikes: (count: string, worst: string, microStep: string) =>
    `${several(count, "spike", "spikes")} by the rule of the warnings; the highest, at micro-step ${microStep}, is ${worst} standard deviations above the level before it.`,
  tail: (tail: { microSteps: string; loss: string; deviation: string; slope: string }) =>
    `Over the last ${several(tail.microSteps, "micro-step", "micro-steps")} the loss is ${tail.loss}, single micro-steps deviate from it by ${tail.deviation} (standard deviation), and its slope is ${tail.slope} nats per token and 1,000 micro-steps.`,
  plateau: (microStep: string) =>
    `From micro-step ${microStep} on the loss had stopped falling, by the rule of the warnings.`,
  trained: (time: string, perEpoch: string) => `Training took ${time}, ${perEpoch} for each epoch on average.`,
  clipping: (counts: { clipped: string; all: string; share: string; bound: string }) =>
    `${counts.clipped} of ${several(counts.all, "optimizer step", "optimizer steps")} (${counts.share}) had a gradient norm above ${counts.bound} and were clipped.`,
  largestNorm: (norm: string, microStep: string) =>
    `The largest gradient norm before clipping was ${norm}, at micro-step ${microStep}.`,
  noNorm: "No gradient norm is in the ledger: whether gradients were clipped cannot be said.",
  noInterruption: "One attempt computed all of it, without an interruption.",
  interruptions: (attempts: string, interruptions: string) =>
    `${several(attempts, "attempt", "attempts")} computed it, with ${several(interruptions, "interruption", "interruptions")}.`,
  endedIn: (state: string) => `It ended ${state}.`,
  notEnded: (state: string) => `It has not ended: ${state}.`,
  throughput: (tokens: string, positions: string) =>
    `Training took in ${tokens} real tokens per second, padding not counted; with padding the device computed ${positions} positions per second.`,
  peak: (peak: string) => `Resident memory peaked at ${peak}, by the operating system's own count.`,
  peakOf: (peak: string, share: string) =>
    `Resident memory peaked at ${peak}, by the operating system's own count: ${share} of the machine's memory.`,
  tensors: (tensors: string, share: string) =>
    `Live tensors held ${tensors} at the last sample, between two steps: ${share} of the resident memory then. What a step needs within itself is in the peak alone.`,
  reserved: (held: string, used: string, share: string) =>
    `The device's allocator held ${held} at the last sample, of which tensors used ${used} (${share}): a ratio of two of its counters, not a use of the device.`,
  reservedOf: (peak: string, share: string) =>
    `At any sample it held ${peak} at most, ${share} of the device's memory; samples are taken between steps, so a step may have needed more.`,
  slope: (slope: string, whole: string, share: string) =>
    `Resident memory changed by ${slope} per micro-step (least squares over all samples), ${whole} over the whole run: ${share} of the last sample.`,
  outOfMemory: "Memory ran out, as the state says.",
  stepTime: (total: string, microSteps: string) =>
    `A micro-step takes ${total} on average over all ${microSteps} micro-steps.`,
  stepParts: (parts: { computing: string; computingShare: string; data: string; optimizer: string }) =>
    `Forward and backward pass take ${parts.computing} of it (${parts.computingShare}), waiting for data ${parts.data}, the optimizer ${parts.optimizer}.`,
  remainder: (rest: string, share: string) =>
    `The rest is ${rest} (${share}): copying batches, reading losses, saving checkpoints.`,
  earlyLate: (early: string, all: string, change: string) =>
    `The first ten micro-steps took ${early} each, all of them ${all}: ${change} of the early time.`,
  gap: (inference: string, training: string, gap: string) =>
    `The inference loss ${inference} and the last training loss ${training} are ${gap} apart, absolutely.`,
  consistent: (bound: string) => `By the recipe's rule they are consistent: the gap is at most ${bound}.`,
  inconsistent: (bound: string) => `By the recipe's rule they are not consistent: the gap is more than ${bound}.`,
  inferenceInterval: (low: string, high: string, tokens: string, samples: string) =>
    `The inference loss is of ${tokens} targets in ${several(samples, "sample", "samples")}; its interval reaches from ${low} to ${high}.`,
  noInferenceInterval: (tokens: string, samples: string) =>
    `The inference loss is of ${tokens} targets in ${several(samples, "sample", "samples")}, without an interval: how sure it is cannot be said.`,
  overlap: (runs: string, all: string, share: string) =>
    `${runs} of ${all} runs of tokens in the validation text (${share}) stand in the training text, too.`,
  noOverlap: "Whether the texts of the samples stand in the training text was not examined.",
};

export const chinese: typeof english = {
  wholeRun: ({ microSteps, optimizerSteps, epochs }) =>
    `整个运行共 ${microSteps} 个微步，即 ${optimizerSteps} 个优化器步，分布在 ${epochs} 个训练轮次中。`,
  fall: (first, last, microStep, share) =>
    `Loss 由微步 1 的 ${first} 降至微步 ${microStep} 的 ${last}，降幅为初始值的 ${share}。`,
  climb: (first, last, microStep, share) =>
    `Loss 由微步 1 的 ${first} 升至微步 ${microStep} 的 ${last}，升幅为初始值的 ${share}。`,
  epochEnd: (epoch, loss, fall) => `第 ${epoch} 轮结束时为 ${loss}，比该轮开始时低 ${fall}。`,
  epochEndUp: (epoch, loss, rise) => `第 ${epoch} 轮结束时为 ${loss}，比该轮开始时高 ${rise}。`,
  steepest: (epoch, fall, share) => `第 ${epoch} 轮下降最快：Loss 下降 ${fall}，占总降幅的 ${share}。`,
  lowest: (loss, microStep, epoch) => `单个微步的最低 Loss 为 ${loss}，出现在第 ${epoch} 轮的微步 ${microStep}。`,
  largestRise: (rise, microStep) => `相邻微步之间最大的一次回升为 ${rise}，出现在微步 ${microStep}。`,
  noRise: "相邻微步之间 Loss 从未回升。",
  noSpike: "按警告规则，没有任何微步构成尖峰。",
  spikes: (count, worst, microStep) =>
    `按警告规则共有 ${count} 处尖峰；最高的一处在微步 ${microStep}，高出此前水平 ${worst} 个标准差。`,
  tail: ({ microSteps, loss, deviation, slope }) =>
    `最后 ${microSteps} 个微步的 Loss 为 ${loss}，单个微步的标准差为 ${deviation}，斜率为每 1,000 个微步每 token ${slope} nat。`,
  plateau: (microStep) => `按警告规则，自微步 ${microStep} 起 Loss 不再下降。`,
  trained: (time, perEpoch) => `训练用时 ${time}，平均每轮 ${perEpoch}。`,
  clipping: ({ clipped, all, share, bound }) =>
    `${all} 个优化器步中有 ${clipped} 个（${share}）的梯度范数超过 ${bound}，因而被裁剪。`,
  largestNorm: (norm, microStep) => `裁剪前的最大梯度范数为 ${norm}，出现在微步 ${microStep}。`,
  noNorm: "账本中没有梯度范数：无从判断梯度是否被裁剪。",
  noInterruption: "全程由一次尝试完成，没有中断。",
  interruptions: (attempts, interruptions) => `共有 ${attempts} 次尝试，其间中断 ${interruptions} 次。`,
  endedIn: (state) => `最终状态为“${state}”。`,
  notEnded: (state) => `运行尚未结束，当前状态为“${state}”。`,
  throughput: (tokens, positions) =>
    `训练速度为每秒 ${tokens} 个真实 token（不计填充）；计入填充，设备每秒计算 ${positions} 个位置。`,
  peak: (peak) => `常驻内存峰值为 ${peak}（操作系统自身的计数）。`,
  peakOf: (peak, share) => `常驻内存峰值为 ${peak}（操作系统自身的计数），占机器内存的 ${share}。`,
  tensors: (tensors, share) =>
    `最后一次采样时（两步之间）存活张量占 ${tensors}，为当时常驻内存的 ${share}；单步内部的需求只反映在峰值中。`,
  reserved: (held, used, share) =>
    `最后一次采样时设备分配器持有 ${held}，其中张量使用 ${used}（${share}）；这是分配器两个计数之比，不是设备的利用率。`,
  reservedOf: (peak, share) =>
    `各次采样中分配器最多持有 ${peak}，为设备内存的 ${share}；采样在两步之间进行，单步内部可能更多。`,
  slope: (slope, whole, share) =>
    `常驻内存每个微步变化 ${slope}（对全部采样作最小二乘），整个运行合计 ${whole}，为最后一次采样的 ${share}。`,
  outOfMemory: "内存曾耗尽，见状态说明。",
  stepTime: (total, microSteps) => `全部 ${microSteps} 个微步平均每步 ${total}。`,
  stepParts: ({ computing, computingShare, data, optimizer }) =>
    `其中前向与反向传播 ${computing}（${computingShare}），等待数据 ${data}，优化器 ${optimizer}。`,
  remainder: (rest, share) => `其余 ${rest}（${share}）用于拷贝批次、读取 Loss 与保存检查点。`,
  earlyLate: (early, all, change) => `最初十个微步平均 ${early}，全部微步平均 ${all}，相对早期用时变化 ${change}。`,
  gap: (inference, training, gap) => `推理 Loss ${inference} 与最后的训练 Loss ${training} 相差 ${gap}（绝对值）。`,
  consistent: (bound) => `按配方中的规则二者一致：差值不超过 ${bound}。`,
  inconsistent: (bound) => `按配方中的规则二者不一致：差值超过 ${bound}。`,
  inferenceInterval: (low, high, tokens, samples) =>
    `推理 Loss 取自 ${samples} 个样本的 ${tokens} 个目标 token，其区间为 ${low} 至 ${high}。`,
  noInferenceInterval: (tokens, samples) =>
    `推理 Loss 取自 ${samples} 个样本的 ${tokens} 个目标 token，没有区间，无从判断其可靠程度。`,
  overlap: (runs, all, share) => `验证文本的 ${all} 个 token 片段中有 ${runs} 个（${share}）也出现在训练文本里。`,
  noOverlap: "未检查样本文本是否出现在训练文本中。",
};
