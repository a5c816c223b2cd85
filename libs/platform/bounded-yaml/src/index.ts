/** YAML of unknown origin, read with limits on depth, entries and faults, so that no text holds a process for seconds. */
export { type ReadYaml, readYaml } from "./read-yaml.ts";
