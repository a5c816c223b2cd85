/** Whether each RPC says who may call it (docs/adr/0019): one that does not would be open, or closed to all, by mistake. */
import { checkout, type Outcome, runProgram } from "./checkout.ts";

/** Of buf's image of all contracts, what is looked at. */
interface Image {
  readonly file: readonly {
    readonly name: string;
    readonly service?: readonly {
      readonly name: string;
      readonly method?: readonly { readonly name: string; readonly options?: Readonly<Record<string, unknown>> }[];
    }[];
  }[];
}

const option = "pretrain.access.v1.access";

/** @returns exit code 1 and the RPCs without rights, if there are any */
export async function checkRights(repository = checkout): Promise<Outcome> {
  const built = await runProgram("buf", ["build", "--exclude-source-info", "-o", "-#format=json"], repository);
  if (built.code !== 0) return built;
  const { file } = JSON.parse(built.output) as Image;
  const faults = file.flatMap(({ name, service = [] }) =>
    service.flatMap(({ name: serviceName, method = [] }) =>
      method
        .filter(({ options }) => !hasRole(options?.[`[${option}]`]))
        .map((each) => `${name}: ${serviceName}.${each.name} does not say who may call it: option (${option})`),
    ),
  );
  return { code: faults.length === 0 ? 0 : 1, output: faults.join("\n") };
}

function hasRole(access: unknown): boolean {
  return typeof access === "object" && access !== null && "role" in access; // a role of 0 is not written
}
