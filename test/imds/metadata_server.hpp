// SPDX-License-Identifier: MIT
// Metadata services of the tests' own, as the clouds document theirs.
#pragma once
#include <string>
#include <vector>

namespace metadata {

/// All that this server hands out and nobody may tell has this word in it.
inline const std::string secret = "SECRET";

inline const std::string aws_token = "SECRET-aws-session-token-5f1c==";
inline const std::string aws_key = "SECRET-aws-secret-access-key-77ab";
inline const std::string aws_credential_token = "SECRET-aws-credential-token-c0de";
inline const std::string alibaba_token = "SECRET-alibaba-session-token-b0b5==";
inline const std::string alibaba_key = "SECRET-alibaba-access-key-secret-19ff";
inline const std::string alibaba_security_token = "SECRET-alibaba-security-token-8e8e";
inline const std::string azure_token = "SECRET-azure-access-token-91d2";
inline const std::string gcp_token = "ya29.SECRET-gcp-access-token-4242";
inline const std::string gcp_identity = "eyJhbGciOi.SECRET-gcp-identity-0001.signature";
inline const std::string user_data_secret = "SECRET-user-data-0d4e";

/// As the answers have them, for their sizes.
std::string aws_credentials();
std::string aws_document();
std::string azure_instance();
std::string azure_oauth();
std::string gcp_oauth();
std::string alibaba_credentials();
std::string user_data();

/// Where it listens, on port 80: AWS, Azure and GCP share the first.
inline const std::vector<std::string> addresses = {
    "169.254.169.254",   "100.100.100.200", "fd00:ec2::254", "fd20:ce::254",
    "fd00:100::100:200", "198.51.100.7"}; // the last one is not among the built-in endpoints

/// Listens on all of them, calls `ready` and serves until its standard input ends.
void serve(void (*ready)());

} // namespace metadata
