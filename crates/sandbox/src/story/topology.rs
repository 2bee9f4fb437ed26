//! The shop's services, hosts and pods, and the tags that each pod puts on its telemetry.

use crate::dice::Dice;
use std::sync::Arc;

/// One service of the shop.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) team: &'static str,
    /// Language as the tracer names it.
    pub(crate) language: &'static str,
    /// `source` of its logs.
    pub(crate) source: &'static str,
    pub(crate) tier: &'static str,
    pub(crate) version: &'static str,
    /// Version before the last deploy.
    pub(crate) previous: &'static str,
    /// Services it calls.
    pub(crate) calls: &'static [&'static str],
    pub(crate) about: &'static str,
}

/// Index of each service in [`SERVICES`].
pub(crate) mod service {
    pub(crate) const STOREFRONT: usize = 0;
    pub(crate) const CHECKOUT: usize = 1;
    pub(crate) const PAYMENT: usize = 2;
    pub(crate) const CART: usize = 3;
    pub(crate) const INVENTORY: usize = 4;
    pub(crate) const CATALOG: usize = 5;
    pub(crate) const NOTIFICATION: usize = 6;
    pub(crate) const ORDERS_DB: usize = 7;
}

/// Every service, in the order of [`service`].
pub(crate) const SERVICES: [Service; 8] = [
    Service {
        name: "storefront",
        team: "web",
        language: "nodejs",
        source: "nodejs",
        tier: "frontend",
        version: "5.112.0",
        previous: "5.111.3",
        calls: &["catalog", "cart", "checkout"],
        about: "Pages and public API of the shop",
    },
    Service {
        name: "checkout",
        team: "orders",
        language: "java",
        source: "java",
        tier: "backend",
        version: "2.31.0",
        previous: "2.30.4",
        calls: &["cart", "inventory", "payment", "orders-db"],
        about: "Turns a cart into a paid order",
    },
    Service {
        name: "payment",
        team: "payments",
        language: "go",
        source: "go",
        tier: "backend",
        version: "1.88.2",
        previous: "1.88.1",
        calls: &[],
        about: "Authorises and captures payments",
    },
    Service {
        name: "cart",
        team: "orders",
        language: "nodejs",
        source: "nodejs",
        tier: "backend",
        version: "3.9.7",
        previous: "3.9.6",
        calls: &[],
        about: "Keeps what customers have put aside",
    },
    Service {
        name: "inventory",
        team: "logistics",
        language: "go",
        source: "go",
        tier: "backend",
        version: "0.64.0",
        previous: "0.63.8",
        calls: &["orders-db"],
        about: "Knows what is in stock and what is reserved",
    },
    Service {
        name: "catalog",
        team: "discovery",
        language: "python",
        source: "python",
        tier: "backend",
        version: "11.4.1",
        previous: "11.4.0",
        calls: &["inventory"],
        about: "Products, prices, search and reviews",
    },
    Service {
        name: "notification",
        team: "crm",
        language: "python",
        source: "python",
        tier: "worker",
        version: "4.2.0",
        previous: "4.1.9",
        calls: &[],
        about: "Mails and push messages to customers",
    },
    Service {
        name: "orders-db",
        team: "data-platform",
        language: "",
        source: "postgresql",
        tier: "database",
        version: "16.4",
        previous: "16.4",
        calls: &[],
        about: "PostgreSQL of orders and reservations",
    },
];

/// One pod (or database node) with the tags of its telemetry.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) service: usize,
    pub(crate) env: &'static str,
    pub(crate) version: &'static str,
    pub(crate) name: String,
    pub(crate) host: Arc<str>,
    /// `key:value`, about twenty.
    pub(crate) tags: Arc<[String]>,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: Arc<str>,
    pub(crate) ip: String,
    pub(crate) env: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) instance: String,
    pub(crate) kind: &'static str,
    pub(crate) id: u64,
}

/// Where everything runs.
#[derive(Debug)]
pub(crate) struct Topology {
    pub(crate) machines: Vec<Machine>,
    pub(crate) pods: Vec<Pod>,
}

const ZONES: [&str; 3] = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];

impl Topology {
    /// `commit` is that of the checkout version that the story is about.
    pub(crate) fn new(seed: u64, commit: &str) -> Self {
        let mut dice = Dice::of(seed, "topology", 0);
        let machine = |dice: &mut Dice, at: usize, env, kind| {
            let (c, d) = (16 + dice.below(48), 2 + dice.below(250));
            let ip = format!("10.4.{c}.{d}");
            Machine {
                name: format!("ip-10-4-{c}-{d}.eu-central-1.compute.internal").into(),
                ip,
                env,
                zone: ZONES[at % 3],
                instance: format!("i-{}", dice.hex(17)),
                kind,
                id: 4_000_000_000 + dice.below(5_000_000_000),
            }
        };
        let mut machines: Vec<Machine> = (0..9).map(|at| machine(&mut dice, at, "prod", "m6i.2xlarge")).collect();
        machines.extend((0..3).map(|at| machine(&mut dice, at, "staging", "m6i.large")));
        machines.extend((0..2).map(|at| machine(&mut dice, at, "prod", "r6i.4xlarge")));
        let commit_of = |at: usize, version: &str| {
            let what = &SERVICES[at];
            let told = at == service::CHECKOUT && version == what.version;
            if told { commit.to_owned() } else { Dice::of(seed, &format!("{} {version}", what.name), 0).hex(40) }
        };
        let mut pods = Vec::new();
        for (at, service) in SERVICES.iter().enumerate() {
            if at == service::ORDERS_DB {
                for (node, machine) in machines[12..].iter().enumerate() {
                    pods.push(Pod::new(&mut dice, &commit_of(at, service.version), at, "prod", service.version, machine, node));
                }
                continue;
            }
            for node in 0..3 {
                let machine = &machines[(at * 2 + node * 3) % 9];
                pods.push(Pod::new(&mut dice, &commit_of(at, service.version), at, "prod", service.version, machine, node));
            }
            if at == service::CHECKOUT {
                for node in 0..3 {
                    let machine = &machines[(at * 2 + node * 3 + 1) % 9];
                    pods.push(Pod::new(&mut dice, &commit_of(at, service.previous), at, "prod", service.previous, machine, node));
                }
            }
            let machine = &machines[9 + at % 3];
            pods.push(Pod::new(&mut dice, &commit_of(at, service.version), at, "staging", service.version, machine, 0));
        }
        Self { machines, pods }
    }

    /// One of the pods of a service, env and version.
    pub(crate) fn pod(&self, service: usize, env: &str, version: &str, dice: &mut Dice) -> &Pod {
        let fits = |pod: &&Pod| pod.service == service && pod.env == env && pod.version == version;
        let count = self.pods.iter().filter(fits).count() as u64;
        let at = dice.below(count) as usize;
        self.pods.iter().filter(fits).nth(at).unwrap_or(&self.pods[0])
    }
}

impl Pod {
    fn new(
        dice: &mut Dice,
        commit: &str,
        service: usize,
        env: &'static str,
        version: &'static str,
        machine: &Machine,
        node: usize,
    ) -> Self {
        let what = &SERVICES[service];
        let database = service == service::ORDERS_DB;
        let name = if database { format!("orders-db-{node}") } else { format!("{}-{}-{}", what.name, dice.hex(10), dice.hex(5)) };

        let mut tags = vec![
            format!("env:{env}"),
            format!("service:{}", what.name),
            format!("version:{version}"),
            format!("source:{}", what.source),
            format!("team:{}", what.team),
            format!("tier:{}", what.tier),
            format!("host:{}", machine.name),
            format!("instance-type:{}", machine.kind),
            "cloud_provider:aws".to_owned(),
            "region:eu-central-1".to_owned(),
            format!("availability-zone:{}", machine.zone),
        ];
        if database {
            tags.push(format!("database_instance:{name}"));
            tags.push("db:orders".to_owned());
            tags.push(format!("replication_role:{}", if node == 0 { "primary" } else { "standby" }));
        } else {
            tags.extend([
                format!("kube_cluster_name:larkspur-{env}"),
                "kube_namespace:shop".to_owned(),
                format!("kube_deployment:{}", what.name),
                format!("kube_node:{}", machine.name),
                format!("pod_name:{name}"),
                "pod_phase:running".to_owned(),
                format!("container_name:{}", what.name),
                format!("container_id:{}", dice.hex(32)),
                format!("image_name:registry.larkspur.example/shop/{}", what.name),
                format!("image_tag:{version}"),
                format!("git.commit.sha:{commit}"),
                "kube_qos:burstable".to_owned(),
            ]);
        }
        Self { service, env, version, name, host: Arc::clone(&machine.name), tags: tags.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_runs_and_names_itself_in_its_tags() {
        let topology = Topology::new(1, "c0ffee");
        for (at, service) in SERVICES.iter().enumerate() {
            let pods: Vec<_> = topology.pods.iter().filter(|pod| pod.service == at).collect();
            assert!(!pods.is_empty(), "{}", service.name);
            for pod in pods {
                assert!(pod.tags.contains(&format!("service:{}", service.name)));
                assert!((13..=25).contains(&pod.tags.len()));
            }
        }
        assert!(topology.pods.iter().any(|pod| pod.service == service::CHECKOUT && pod.version == "2.30.4"));
    }
}
