/** The forms of what stands in the files of a checkpoint. */
export const idPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const sha256Pattern = /^[0-9a-f]{64}$/;
export const noncePattern = /^[A-Za-z0-9_-]{1,64}$/;
/** `2025-07-30T15:30:00.000Z` */
export const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
