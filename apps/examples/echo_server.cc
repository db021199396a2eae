// An echo server on a device of yours: echo_server DEVICE ADDRESS/LENGTH PORT, as echo_server net_tap0 198.18.0.2/24 7
#include <cstdio>
#include <cstdlib>

#include "estab/endpoint.h"

class Echo final : public estab::Service {
  void on_receive(estab::Connection connection) override {
    while (connection.sendable() > 0) {  // a client that does not read is not read from
      estab::Buffer data = connection.receive();
      if (!data) {
        if (connection.user() == kPeerClosed) connection.close();
        return;
      }
      connection.send(data);  // the received packets themselves go back: nothing is copied
    }
  }
  void on_sendable(estab::Connection connection) override { on_receive(connection); }
  void on_peer_close(estab::Connection connection) override {
    connection.set_user(kPeerClosed);
    on_receive(connection);
  }
  static constexpr uint64_t kPeerClosed = 1;
};

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: echo_server DEVICE ADDRESS/LENGTH PORT\n"), 2;
  const auto address = estab::Cidr::parse(argv[2]);
  if (!address) return std::fprintf(stderr, "%s\n", address.error().c_str()), 2;
  estab::Config config;
  config.device = argv[1];
  config.address = *address;
  auto endpoint = estab::Endpoint::create(config);
  if (!endpoint) return std::fprintf(stderr, "%s\n", endpoint.error().c_str()), 1;
  Echo echo;
  (*endpoint)->listen(static_cast<uint16_t>(std::atoi(argv[3])), echo);
  std::printf("%s\n", (*endpoint)->describe().c_str());
  (*endpoint)->run();
}
