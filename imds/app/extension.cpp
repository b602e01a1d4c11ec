// SPDX-License-Identifier: MIT
#include "imds/app/extension.hpp"

#include <optional>
#include <utility>

#include "imds/app/pipeline.hpp"

namespace telemetry::imds {
namespace {

class ImdsExtension final : public Extension {
  public:
    ImdsExtension(const Format& format, size_t max_memory) : format_(format) {
        options_.max_memory = max_memory;
    }

    void select(ebpf_loader::Selection& selection) const override {
        ImdsPipeline::select(options_, selection);
    }
    void begin(ebpf_loader::Engine& engine, const FormatContext& context) override {
        formatter_ = make_imds_formatter(format_, format_options(context));
        pipeline_.emplace(options_, engine, [this](const ImdsEvent& event) { put(event); });
    }
    void started() override { pipeline_->started(); }
    bool take(const Event& event) override { return pipeline_->take(event); }
    void tick() override { pipeline_->tick(); }
    void finish() override { pipeline_->finish(); }
    uint64_t take_lines(std::string& out) override {
        out.append(lines_);
        lines_.clear();
        return std::exchange(count_, 0);
    }

  private:
    void put(const ImdsEvent& event) {
        formatter_->format(event, lines_);
        ++count_;
    }

    const Format& format_;
    ImdsPipeline::Options options_;
    std::unique_ptr<ImdsFormatter> formatter_;
    std::optional<ImdsPipeline> pipeline_;
    std::string lines_;
    uint64_t count_ = 0;
};

} // namespace

std::unique_ptr<Extension> make_imds_extension(const Format& format, size_t max_memory) {
    return std::make_unique<ImdsExtension>(format, max_memory);
}

} // namespace telemetry::imds
