// SPDX-License-Identifier: MIT
#pragma once
#include <memory>

#include "telemetry/event/event.hpp"

namespace telemetry {

/// A process image with the bytes that its texts refer to. Shared by a process and
/// the children it forks.
class StoredImage {
  public:
    /// Copies the image. `meter` counts the bytes of all that exist, and outlives them.
    StoredImage(const Image& image, size_t& meter);
    ~StoredImage() { meter_ -= size_; }
    StoredImage(const StoredImage&) = delete;
    StoredImage& operator=(const StoredImage&) = delete;

    const Image& view() const { return image_; }

  private:
    Image image_;
    std::unique_ptr<char[]> bytes_;
    size_t size_;
    size_t& meter_;
};

} // namespace telemetry
