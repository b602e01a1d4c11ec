// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include <sys/types.h>

struct Ran {
    std::string out; ///< what it wrote to standard output
    pid_t pid;       ///< that it had
};

/// A request that each server answers.
inline const std::string instance = "/latest/meta-data/instance-id";

/// A network namespace with a metadata server in it, which ends with this object.
class MetadataNetwork {
  public:
    MetadataNetwork();
    ~MetadataNetwork();
    MetadataNetwork(const MetadataNetwork&) = delete;
    MetadataNetwork& operator=(const MetadataNetwork&) = delete;

    /// Runs a program in the namespace, with no shell.
    Ran run(const std::vector<std::string>& command, const std::string& input = {},
            bool must_succeed = true) const;
    /// The namespace's inode number.
    std::string inode() const;
    pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = -1;
    int input_ = -1;  ///< of the server, which ends with it
    int output_ = -1; ///< of the server
};
