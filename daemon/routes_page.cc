// The page for a browser: files that lie in this program, sent as they were compressed by its
// build.
#include <almanac/daemon/http_api.h>
#include <almanac/daemon/page_files.h>

#include <algorithm>
#include <array>
#include <string>

namespace almanac {
namespace {

// It runs its own files and asks its own server; nobody shows it inside of something else.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PageFile* find_page_file(std::string_view name) {
  const auto files = page_files();
  const auto found = std::ranges::find(files, name, &PageFile::name);
  return found == files.end() ? nullptr : &*found;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The members of a list with commas, without their spaces.
template <class Matches>
bool any_in_list(std::string_view list, Matches matches) {
  while (true) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (matches(without_blanks(list.substr(0, end)))) return true;
    if (end == list.size()) return false;
    list.remove_prefix(end + 1);
  }
}

// Who says nothing takes anything; "gzip;q=0" is a no.
bool takes_gzip(const HttpRequest& request) {
  const std::string* accepted = request.header("accept-encoding");
  if (accepted == nullptr) return true;
  return any_in_list(*accepted, [](std::string_view coding) {
    const std::string_view name = without_blanks(coding.substr(0, coding.find(';')));
    const auto weight = coding.find("q=");
    const bool refused = weight != std::string_view::npos &&
                         coding.find_first_not_of("0.", weight + 2) == std::string_view::npos;
    return (name == "gzip" || name == "*") && !refused;
  });
}

bool has_etag(const HttpRequest& request, std::string_view etag) {
  const std::string* known = request.header("if-none-match");
  if (known == nullptr) return false;
  return any_in_list(*known, [etag](std::string_view one) {
    if (one.starts_with("W/")) one.remove_prefix(2);
    return one == etag || one == "*";
  });
}

ApiResult page_file(const ApiCall& call, std::string_view name) {
  if (page_files().empty()) {
    return fail(ErrorCode::not_found, "this program was built without its page",
                "configure with -DALMANAC_PAGE=ON, which needs Node.js and npm, or use "
                "the command and /v1/openapi.json");
  }
  const PageFile* file = find_page_file(name);
  if (file == nullptr) {
    return fail(ErrorCode::not_found, "the page has no file of this name", "open / in a browser");
  }
  HttpResponse response{.type = std::string(file->type)};
  response.headers = {{"ETag", std::string(file->etag)},
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept-Encoding"},
                      {"Content-Security-Policy", std::string(page_policy)},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  if (has_etag(call.request, file->etag)) {
    response.status = 304;
    return response;
  }
  if (!takes_gzip(call.request)) {
    return problem({ErrorCode::invalid, "the page is sent compressed", "accept gzip"}, 406);
  }
  response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = file->gzip;
  return response;
}

ApiResult get_page(const ApiCall& call) { return page_file(call, "index.html"); }
ApiResult get_page_file(const ApiCall& call) { return page_file(call, call.values[0]); }

constexpr std::array page_table = {
    HttpRoute{.method = "GET",
              .path = "/",
              .scope = AccessScope::none,
              .handler = get_page,
              .summary = "The page for a browser, which asks for a token itself",
              .answers = "text/html"},
    HttpRoute{.method = "GET",
              .path = "/page/{file}",
              .scope = AccessScope::none,
              .handler = get_page_file,
              .summary = "What it is made of",
              .answers = "text/javascript"},
};

}  // namespace

std::span<const HttpRoute> page_routes() { return page_table; }

}  // namespace almanac
