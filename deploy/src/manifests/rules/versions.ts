/** The programs of others are those that everything else here is tested with. */
import { natsServerBinary } from "@pretrain/nats-server";
import { weedBinary } from "@pretrain/s3-server";
import { containersOf } from "../manifest.ts";
import { type Rule, when } from "./rule.ts";

/** By the image's name, where the tested one lies: a folder whose name ends in its version. */
const tested: Readonly<Record<string, string>> = { nats: natsServerBinary, "chrislusf/seaweedfs": weedBinary };

export const versions: Rule = (manifests) =>
  containersOf(manifests).flatMap(({ of, container: { image } }) => {
    const [name = "", tag = ""] = image.split(":");
    const [version] = tag.split("-"); // what follows is how the image is made
    const path = tested[name];
    if (path === undefined)
      return when(!name.includes("pretrain-"), `${of.name} runs ${name}, which nothing is tested with`);
    return when(!path.includes(`-${version}/`), `${of.name} runs ${image}, and what is tested is ${path}`);
  });
