/** Where things lie: the checkout that this command belongs to, and the folder in it that holds what runs leave behind. */
import { join } from "node:path";

export const checkoutRoot = join(import.meta.dirname, "..", "..");

/** Git-ignored; deleting it forgets every experiment. */
export const stateDirectory = join(checkoutRoot, ".pretrain");
