/**
 * The layout, and its limits:
 *
 *     8 bytes          n bytes (JSON, padded with spaces)                        the rest
 *     n, little-endian { "name": { dtype, shape, data_offsets: [begin, end] } }  tensors, end to end without a gap
 */
export const lengthBytes = 8;

/** The format allows 100 MB; 1 MiB holds some 8,000 tensors, and a damaged length asks for no more memory than that. */
export const headerLimitBytes = 1024 * 1024;

/** The one key of the header that is no tensor: a map from strings to strings. */
export const metadataKey = "__metadata__";
