// SPDX-License-Identifier: MIT
#include "imds/app/extension.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "imds/app/pipeline.hpp"
#include "imds/app/stats.hpp"

namespace telemetry::imds {
namespace {

class ImdsExtension final : public Extension {
  public:
    ImdsExtension(size_t max_memory, const std::string& proc_root) {
        options_.max_memory = max_memory;
        options_.proc_root = proc_root;
    }

    void select(ebpf_loader::Selection& selection) const override {
        ImdsPipeline::select(options_, selection);
    }
    void prepare() override { options_.route = std::make_shared<HelperRoute>(); }
    void begin(ebpf_loader::Engine& engine, const FormatContext& context,
               std::span<const Format* const> formats) override {
        for (const Format* format : formats)
            lines_.push_back({make_imds_formatter(*format, format_options(context)), {}, 0});
        pipeline_.emplace(options_, engine, [this](const ImdsEvent& event) { put(event); });
    }
    void started() override { pipeline_->started(); }
    bool take(const Event& event) override { return pipeline_->take(event); }
    void tick() override { pipeline_->tick(); }
    bool is_waiting() const override { return pipeline_->is_waiting(); }
    std::vector<HelperReport> helpers() const override { return helper_reports(pipeline_->counters()); }
    void finish() override { pipeline_->finish(); }
    uint64_t take_lines(size_t format, std::string& out) override {
        Lines& lines = lines_.at(format);
        out.append(lines.text);
        lines.text.clear();
        return std::exchange(lines.count, 0);
    }

  private:
    struct Lines {
        std::unique_ptr<ImdsFormatter> formatter;
        std::string text;
        uint64_t count = 0;
    };

    void put(const ImdsEvent& event) {
        for (Lines& lines : lines_) {
            lines.formatter->format(event, lines.text);
            ++lines.count;
        }
    }

    ImdsPipeline::Options options_;
    std::optional<ImdsPipeline> pipeline_;
    std::vector<Lines> lines_; ///< by format
};

} // namespace

std::unique_ptr<Extension> make_imds_extension(size_t max_memory, const std::string& proc_root) {
    return std::make_unique<ImdsExtension>(max_memory, proc_root);
}

} // namespace telemetry::imds
