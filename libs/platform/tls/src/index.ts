/** The certificate by which a process is known, and the authority by which it knows others: one folder, read anew when it changes. */
export { commonNameOf, identityOfCertificate } from "./identity.ts";
export { openTls, type Tls, type TlsMaterial, tlsFiles } from "./open-tls.ts";
