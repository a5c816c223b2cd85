/** This checkout, which images are made of. */
import { dirname, join } from "node:path";

export const checkout = dirname(dirname(dirname(import.meta.dirname)));

/** What is made here for images: ignored by git, kept between runs. */
export const workFolder = join(checkout, "deploy/.native/images");
