/**
 * NVIDIA's libraries for TensorFlow on a GPU, as the metadata of `tensorflow==2.21.0` asks for them under its extra `and-cuda`. How they
 * were found and how to look again is in deploy/README.md.
 */
import type { Wheel } from "@pretrain/wheels";

export interface CudaWheel extends Wheel {
  /** What TensorFlow asks for, in its own words. */
  readonly asked: string;
  /** Of the wheel, as patterns. */
  readonly select: readonly string[];
  /** Below `nvidia/`, in the wheel as in the image. */
  readonly folder: string;
}

export const cudaWheels: readonly CudaWheel[] = [
  wheel("cublas", "12.9.3.13", "<13.0,>=12.5.3.2", "manylinux_2_27_x86_64", {
    sha256: "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
  }),
  wheel("cuda_cupti", "12.8.90", "<13.0,>=12.5.82", "manylinux2014_x86_64", {
    sha256: "ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182",
  }),
  wheel("cuda_nvcc", "12.9.86", "<13.0,>=12.5.82", "manylinux2010_x86_64", {
    sha256: "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0",
    select: ["nvidia/cuda_nvcc/bin/ptxas", "nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc"],
  }),
  wheel("cuda_nvrtc", "12.9.86", "<13.0,>=12.5.82", "manylinux2010_x86_64", {
    sha256: "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
  }),
  wheel("cuda_runtime", "12.9.79", "<13.0,>=12.5.82", "manylinux2014_x86_64", {
    sha256: "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
  }),
  wheel("cudnn", "9.28.0.42", "<10.0,>=9.3.0.75", "manylinux_2_27_x86_64", {
    sha256: "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
  }),
  wheel("cufft", "11.4.1.4", "<12.0,>=11.2.3.61", "manylinux2014_x86_64", {
    sha256: "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
  }),
  wheel("curand", "10.3.10.19", "<11.0,>=10.3.6.82", "manylinux_2_27_x86_64", {
    sha256: "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
  }),
  wheel("cusolver", "11.7.5.82", "<12.0,>=11.6.3.83", "manylinux_2_27_x86_64", {
    sha256: "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
  }),
  wheel("cusparse", "12.5.10.65", "<13.0,>=12.5.1.3", "manylinux2014_x86_64", {
    sha256: "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
  }),
  wheel("nccl", "2.32.3", "<3.0,>=2.27.7", "manylinux_2_27_x86_64", {
    sha256: "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c",
  }),
  wheel("nvjitlink", "12.9.86", "<13.0,>=12.5.82", "manylinux2010_x86_64", {
    sha256: "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
  }),
];

function wheel(
  folder: string,
  version: string,
  range: string,
  platform: string,
  { sha256, select = [`nvidia/${folder}/lib/*.so*`] }: { readonly sha256: string; readonly select?: string[] },
): CudaWheel {
  const name = `nvidia-${folder.replace("_", "-")}-cu12`;
  const requirement = `${name}==${version}`;
  return { requirement, sha256, platform, asked: `${name}${range}`, select, folder, neededBytes: 3e9 };
}
