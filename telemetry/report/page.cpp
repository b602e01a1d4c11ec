// SPDX-License-Identifier: MIT
#include "telemetry/report/page.hpp"

#include <openssl/sha.h>

#include "telemetry/base/escape.hpp"
#include "telemetry/report/columns.hpp"

extern "C" const char ebt_report_page_start[], ebt_report_page_end[];
extern "C" const char ebt_report_style_start[], ebt_report_style_end[];
extern "C" const char ebt_report_script_start[], ebt_report_script_end[];

namespace telemetry::report {

namespace {

std::string base64(std::string_view bytes) {
    LineBuffer line;
    put_base64(line, bytes);
    return std::string(line.view());
}

/// As a content-security-policy names what may be in the page.
std::string hash_source(std::string_view text) {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
    return "'sha256-" + base64({reinterpret_cast<const char*>(hash), sizeof(hash)}) + "'";
}

} // namespace

void write_page(std::ostream& out, std::string_view data, const std::vector<std::string>& blocks) {
    std::string_view rest(ebt_report_page_start, ebt_report_page_end);
    const std::string_view style(ebt_report_style_start, ebt_report_style_end);
    const std::string_view script(ebt_report_script_start, ebt_report_script_end);
    const auto until = [&](std::string_view mark) {
        const size_t at = rest.find(mark);
        out << rest.substr(0, at);
        rest.remove_prefix(at + mark.size());
    };
    until("@POLICY@");
    out << "default-src 'none'; script-src " << hash_source(script) << "; style-src " << hash_source(style)
        << "; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";
    until("@STYLE@");
    out << style;
    until("@DATA@");
    out << "<script type=\"text/plain\" id=\"data\">" << base64(deflated(data)) << "</script>\n";
    for (const std::string& block : blocks)
        out << "<script type=\"text/plain\" class=\"block\">" << base64(block) << "</script>\n";
    until("@SCRIPT@");
    out << script << rest;
}

} // namespace telemetry::report
