#include "services.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace estab::app {
namespace {

// Bits of the connection's word.
constexpr uint64_t kPeerClosed = 1;

// RFC 862: sends back what it gets; stops reading while the client does not read.
class Echo final : public Service {
 public:
  void on_receive(Connection connection) override { pump(connection); }
  void on_sendable(Connection connection) override { pump(connection); }
  void on_peer_close(Connection connection) override {
    connection.set_user(kPeerClosed);
    pump(connection);
  }

 private:
  static void pump(Connection connection) {
    while (connection.sendable() > 0) {
      Buffer data = connection.receive();
      if (!data) {
        if (connection.user() == kPeerClosed) connection.close();
        return;
      }
      connection.send(data);
    }
  }
};

// RFC 863.
class Discard final : public Service {};

// RFC 864: sends without end; what the client sends is thrown away.
class Chargen final : public Service {
 public:
  explicit Chargen(Endpoint& endpoint) : endpoint_(endpoint) {
    for (size_t i = 0; i < lines_.size(); ++i) {
      const size_t line = i / 74;
      const size_t column = i % 74;
      lines_[i] = column == 72 ? '\r' : column == 73 ? '\n' : static_cast<uint8_t>(' ' + (line + column) % 95);
    }
  }
  void on_accept(Connection connection) override { fill(connection); }
  void on_sendable(Connection connection) override { fill(connection); }

 private:
  void fill(Connection connection) {
    while (connection.sendable() > 0) {
      Buffer data = endpoint_.make_buffer(lines_);
      if (!data || !connection.send(data)) return;
    }
  }
  Endpoint& endpoint_;
  std::array<uint8_t, 74 * 95> lines_;
};

class Closer final : public Service {
 public:
  explicit Closer(bool by_rst) : by_rst_(by_rst) {}
  void on_accept(Connection connection) override { by_rst_ ? connection.abort() : connection.close(); }

 private:
  bool by_rst_;
};

// Echoes the first chunk, then closes.
class EchoOnce final : public Service {
 public:
  void on_receive(Connection connection) override {
    connection.send(connection.receive());
    connection.close();
  }
};

// Accepts and never reads; closes never.
class Stall final : public Service {
 public:
  void on_receive(Connection) override {}
  void on_peer_close(Connection) override {}
};

class Abort final : public Service {
 public:
  void on_receive(Connection connection) override { connection.abort(); }
};

class Responder final : public Service {
 public:
  Responder(Endpoint& endpoint, uint32_t request, uint32_t response, bool close_first, bool by_rst)
      : endpoint_(endpoint),
        request_(request),
        response_(response, uint8_t{'r'}),
        close_first_(close_first),
        by_rst_(by_rst) {}

  // The connection's word counts the bytes of the request that have come.
  void on_receive(Connection connection) override {
    const Buffer data = connection.receive();
    uint64_t got = connection.user() + data.size();
    for (; got >= request_; got -= request_) {
      connection.send(endpoint_.make_buffer(response_));
      if (!close_first_) continue;
      by_rst_ ? connection.abort() : connection.close();
      return;
    }
    connection.set_user(got);
  }

 private:
  Endpoint& endpoint_;
  uint32_t request_;
  std::vector<uint8_t> response_;
  bool close_first_;
  bool by_rst_;
};

// HTTP/1.1 (RFC 9112), enough of it to serve: GET and HEAD; /N gives N bytes, / a greeting. Keep-alive and pipelining.
class Http final : public Service {
 public:
  Http() : pattern_(kChunk) {
    for (size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = static_cast<uint8_t>('a' + i % 26);
  }
  void on_accept(Connection connection) override {
    connection.set_user(++last_id_);
    clients_[last_id_];
  }
  void on_receive(Connection connection) override {
    Client& client = clients_[connection.user()];
    connection.receive().append_to(client.input);
    pump(connection, client);
  }
  void on_sendable(Connection connection) override { pump(connection, clients_[connection.user()]); }
  void on_peer_close(Connection connection) override {
    Client& client = clients_[connection.user()];
    client.last = true;
    pump(connection, client);
  }
  void on_close(Connection connection, Error) override { clients_.erase(connection.user()); }

 private:
  static constexpr size_t kChunk = 26 * 1024;
  static constexpr size_t kMaxHead = 16 * 1024;
  static constexpr uint64_t kMaxBody = uint64_t{1} << 40;

  struct Client {
    std::string input;
    uint64_t body_left = 0;
    uint64_t body_sent = 0;
    bool last = false;  // close when all is answered
  };

  void pump(Connection connection, Client& client) {
    for (;;) {
      if (client.body_left > 0) {
        if (!send_body(connection, client)) return;
        continue;
      }
      const size_t end = client.input.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (client.input.size() > kMaxHead) refuse(connection, client, "431 Request Header Fields Too Large");
        if (client.last) connection.close();
        return;
      }
      if (connection.sendable() == 0) return;
      const std::string head = client.input.substr(0, end + 2);
      client.input.erase(0, end + 4);
      answer(connection, client, head);
    }
  }

  bool send_body(Connection connection, Client& client) {
    const size_t room = connection.sendable();
    if (room == 0) return false;
    const size_t at = client.body_sent % pattern_.size();
    const size_t n =
        std::min({static_cast<uint64_t>(pattern_.size() - at), client.body_left, static_cast<uint64_t>(room)});
    const size_t sent = connection.send(std::span<const uint8_t>(pattern_).subspan(at, n));
    client.body_left -= sent;
    client.body_sent += sent;
    if (client.body_left == 0) client.body_sent = 0;
    return sent > 0;
  }

  static void put(Connection connection, std::string_view text) {
    connection.send(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }

  void refuse(Connection connection, Client& client, const std::string& status) {
    put(connection, "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.input.clear();
    client.last = true;
  }

  static bool contains_token(const std::string& head, std::string_view name, std::string_view value) {
    std::string lower(head.size(), '\0');
    std::transform(head.begin(), head.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const size_t at = lower.find("\r\n" + std::string(name) + ":");
    if (at == std::string::npos) return false;
    const size_t end = lower.find("\r\n", at + 2);
    return lower.substr(at, end - at).find(value) != std::string::npos;
  }

  void answer(Connection connection, Client& client, const std::string& head) {
    const size_t method_end = head.find(' ');
    const size_t path_end = method_end == std::string::npos ? method_end : head.find(' ', method_end + 1);
    if (path_end == std::string::npos || head.compare(path_end + 1, 7, "HTTP/1.") != 0) {
      return refuse(connection, client, "400 Bad Request");
    }
    const std::string method = head.substr(0, method_end);
    const std::string path = head.substr(method_end + 1, path_end - method_end - 1);
    if (method != "GET" && method != "HEAD") return refuse(connection, client, "501 Not Implemented");
    const bool http10 = head.compare(path_end + 8, 1, "0") == 0;
    const bool keep =
        http10 ? contains_token(head, "connection", "keep-alive") : !contains_token(head, "connection", "close");
    static constexpr std::string_view kGreeting = "estab\n";
    uint64_t size = kGreeting.size();
    if (path != "/") {
      const auto [stop, error] = std::from_chars(path.data() + 1, path.data() + path.size(), size);
      if (error != std::errc() || stop != path.data() + path.size() || size > kMaxBody) {
        put(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return;
      }
    }
    std::string reply =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(size) + "\r\n";
    if (!keep) reply += "Connection: close\r\n";
    if (keep && http10) reply += "Connection: keep-alive\r\n";
    reply += "\r\n";
    client.last = client.last || !keep;
    if (method == "GET" && path == "/") reply += kGreeting;
    put(connection, reply);
    if (method == "GET" && path != "/") client.body_left = size;
  }

  std::vector<uint8_t> pattern_;
  std::unordered_map<uint64_t, Client> clients_;
  uint64_t last_id_ = 0;
};

}  // namespace

std::unique_ptr<Service> make_service(const std::string& name, Endpoint& endpoint) {
  if (name == "echo") return std::make_unique<Echo>();
  if (name == "discard") return std::make_unique<Discard>();
  if (name == "chargen") return std::make_unique<Chargen>(endpoint);
  if (name == "http") return std::make_unique<Http>();
  if (name == "accept") return std::make_unique<Closer>(false);
  if (name == "close") return std::make_unique<EchoOnce>();
  if (name == "stall") return std::make_unique<Stall>();
  if (name == "abort") return std::make_unique<Abort>();
  return nullptr;
}

std::unique_ptr<Service> make_responder(Endpoint& endpoint, uint32_t request, uint32_t response, bool close_first,
                                        bool by_rst) {
  return std::make_unique<Responder>(endpoint, request, response, close_first, by_rst);
}

std::unique_ptr<Service> make_closer(bool by_rst) {
  return std::make_unique<Closer>(by_rst);
}

}  // namespace estab::app
