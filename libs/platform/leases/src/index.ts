/** Leases: one worker at a time, for as long as it says so again and again. */
export { type Lease, type LeaseOptions, Leases } from "./leases.ts";
