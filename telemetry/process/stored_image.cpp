// SPDX-License-Identifier: MIT
#include "telemetry/process/stored_image.hpp"

#include <algorithm>

namespace telemetry {

StoredImage::StoredImage(const Image& image, size_t& meter) : image_(image), meter_(meter) {
    size_t length = 0;
    for (const std::string_view* text : texts_of(image_))
        length += text->size();
    bytes_.reset(new char[length]);
    char* end = bytes_.get();
    for (std::string_view* text : texts_of(image_)) {
        char* begin = end;
        end = std::copy(text->begin(), text->end(), begin);
        *text = {begin, static_cast<size_t>(end - begin)};
    }
    size_ = sizeof(*this) + length;
    meter_ += size_;
}

} // namespace telemetry
